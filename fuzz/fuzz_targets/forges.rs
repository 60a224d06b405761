#![no_main]
#[path = "../../tests/common/pack.rs"]
#[allow(dead_code)]
mod pack;
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::forges(data));
