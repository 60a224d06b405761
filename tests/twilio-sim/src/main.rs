//! Runs the simulator for trying things by hand: prints what to set and what there is, until it is stopped. `twilio-sim N` makes
//! N accounts more, each with a line `pair ACCOUNT TOKEN`.

use twilio_sim::{KeyKind, Sim, World};

fn main() {
    let mut world = World::new(fastrand::u64(..));
    let parent = world.account("Example Inc.", None);
    let child = world.account("Example shop", Some(&parent));
    let (key, secret) = world.key(&child, KeyKind::Standard);
    let more = std::env::args().nth(1).map_or(0, |count| count.parse().expect("a number of accounts"));
    let more: Vec<String> = (0..more).map(|n| world.account(&format!("Account {n}"), None)).collect();
    let more: Vec<_> = more.into_iter().map(|sid| (world.token(&sid), sid)).collect();
    let (token, child_token) = (world.token(&parent), world.token(&child));
    let sim = Sim::start(world);
    let authority = std::env::temp_dir().join("twilio-sim.pem");
    std::fs::write(&authority, &sim.authority).expect("a temporary file");
    println!("export SIDSWEEP_TWILIO_ENDPOINT={}", sim.endpoint);
    println!("export SIDSWEEP_TWILIO_CA={}", authority.display());
    println!("export SIDSWEEP_ADMIN_USER={parent}");
    println!("export SIDSWEEP_ADMIN_SECRET={token}");
    println!("# subaccount {child} with the token {child_token}");
    println!("# its API key {key} with the secret {secret}");
    for (token, sid) in more {
        println!("pair {sid} {token}");
    }
    loop {
        std::thread::park();
    }
}
