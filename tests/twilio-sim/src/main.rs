//! Runs the simulator for trying things by hand: prints what to set and what there is, until it is stopped.

use twilio_sim::{KeyKind, Sim, World};

fn main() {
    let mut world = World::new(fastrand::u64(..));
    let parent = world.account("Example Inc.", None);
    let child = world.account("Example shop", Some(&parent));
    let (key, secret) = world.key(&child, KeyKind::Standard);
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
    loop {
        std::thread::park();
    }
}
