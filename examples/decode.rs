//! The floor that `benches/run` measures histories against: every object of every pack decoded once, on all cores, by gix's
//! delta-tree traversal, and nothing done with it.
//!
//!     cargo run --release --example decode -- GIT_FOLDER THREADS

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gix::odb::pack::{Bundle, cache, index::traverse};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(repository), Some(threads)) = (arguments.next(), arguments.next()) else {
        return Err("usage: decode GIT_FOLDER THREADS".into());
    };
    let threads: usize = threads.parse()?;
    let repository = gix::open(repository)?;
    let objects = AtomicU64::new(0);
    for entry in std::fs::read_dir(repository.objects.store_ref().path().join("pack"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "idx") {
            let pack = Bundle::at(&path, repository.object_hash())?;
            let options = traverse::Options {
                traversal: traverse::Algorithm::DeltaTreeLookup,
                thread_limit: Some(threads),
                check: traverse::SafetyCheck::SkipFileAndObjectChecksumVerificationAndNoAbortOnDecodeError,
                make_pack_lookup_cache: || cache::Never,
                alloc_limit_bytes: None,
            };
            let count = |_, _: &[u8], _: &_, _: &dyn gix::Progress| {
                objects.fetch_add(1, Ordering::Relaxed);
                Ok::<(), gix::Error>(())
            };
            pack.index.traverse(
                &pack.pack,
                &mut gix::progress::Discard,
                &AtomicBool::new(false),
                count,
                options,
            )?;
        }
    }
    println!("{} objects", objects.into_inner());
    Ok(())
}
