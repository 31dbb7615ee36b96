# GoodCity in Chinese, simplified script. SMS: one segment of UCS-2, which is 70 characters. With the line "@host #code"
# only the short text fits.

sms-code = { $code } 是您的 { $name } 验证码，{ $minutes } 分钟内有效。如非您本人操作，请忽略此短信。
    .short = { $code } { $name } 验证码，{ $minutes } 分钟内有效
