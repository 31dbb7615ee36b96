//! The two implementations of Argon2id compute the same hashes.

use usecases::{HashCase, SeededEntropy};

/// The number of random cases. `cargo run -p usecases --example hashes` compares 100,000.
const CASES: usize = 1_000;

#[test]
fn both_compute_the_test_vector_of_the_standard() {
    // RFC 9106, section 5.3.
    let case = HashCase {
        password: vec![1; 32],
        salt: vec![2; 16],
        secret: vec![3; 8],
        data: vec![4; 12],
        memory_kib: 32,
        passes: 3,
        lanes: 4,
        length: 32,
    };
    let expected = [
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53,
        0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01,
        0xe6, 0x59,
    ];
    assert_eq!(case.reference(), expected);
    assert_eq!(case.fast(), expected);
}

#[test]
fn both_compute_the_same_hash_of_random_inputs_and_costs() {
    let entropy = SeededEntropy::default();
    for _ in 0..CASES {
        let case = HashCase::random(&entropy);
        assert_eq!(case.reference(), case.fast(), "{case:?}");
    }
}
