use local::{Options, Stack};
#[tokio::test]
async fn many() {
    let t = std::time::Instant::now();
    let mut hs = vec![];
    for i in 0..20 {
        hs.push(tokio::spawn(async move {
            let s = Stack::start(Options { env: vec![("OTP_SENDS_PER_HOUR_PER_IP".into(),"0".into())], ..Options::default() }).await.unwrap();
            let c = reqwest::Client::new();
            let to = format!("+62811000{i:04}");
            let r = c.post(format!("{}/otp", s.url())).json(&serde_json::json!({"identifier": to, "otpType":"sign_up"})).send().await.unwrap();
            assert_eq!(r.status().as_u16(), 204);
            loop {
                let m: serde_json::Value = c.get(format!("{}/_local/messages", s.url())).send().await.unwrap().json().await.unwrap();
                if m["messages"].as_array().unwrap().len() == 1 { break; }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            if i % 2 == 0 { s.shutdown().await; } else { drop(s); }
        }));
    }
    for h in hs { h.await.unwrap(); }
    println!("{:?}", t.elapsed());
    let t = std::time::Instant::now();
    let s = Stack::start(Options::default()).await.unwrap(); println!("start {:?}", t.elapsed());
    let t = std::time::Instant::now(); drop(s); println!("drop {:?}", t.elapsed());
    let e = Stack::start(Options { root: Some("/nowhere".into()), ..Options::default() }).await.unwrap_err(); println!("{e:#}");
    let o = std::process::Command::new("sh").args(["-c","ps aux | grep -c '[d]ebug/gotu-post-otp'"]).output().unwrap(); println!("left {}", String::from_utf8_lossy(&o.stdout));
}
