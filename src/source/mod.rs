//! Where bytes come from. Each source hands out texts with their paths and names what it could not read.

pub mod archive;
mod budget;
pub mod changes;
pub mod commits;
pub mod delta;
pub mod entries;
pub mod folders;
pub mod guarded;
pub mod holdings;
mod ignored;
mod layout;
pub mod lfs;
pub mod machine;
mod mounts;
pub mod objects;
pub mod opaque;
pub mod pack;
pub mod places;
pub mod references;
pub mod repository;
pub mod roots;
pub mod settings;
pub mod stop;
pub mod stream;
pub mod tracked;
pub mod tree;
pub mod versions;
