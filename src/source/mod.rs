//! Where bytes come from. Each source hands out texts with their paths and names what it could not read.

pub mod archive;
pub mod changes;
pub mod commits;
pub mod delta;
pub mod entries;
pub mod folders;
pub mod holdings;
pub mod objects;
pub mod pack;
pub mod repository;
pub mod roots;
pub mod stream;
pub mod tracked;
pub mod tree;
pub mod versions;
