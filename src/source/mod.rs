//! Where bytes come from. Each source hands out texts with their paths and names what it could not read.

pub mod stream;
pub mod tracked;
pub mod tree;
