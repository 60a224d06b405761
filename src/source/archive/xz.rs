//! How much memory a stream of xz says that it needs. <https://tukaani.org/xz/xz-file-format.txt>

/// So many first bytes tell, of nearly all.
pub const HEAD: usize = 64;

/// The mark of a stream, and how long its head is.
const MARK: (&[u8], usize) = (b"\xfd7zXZ\0", 12);
/// The filter that has a dictionary.
const LZMA2: u64 = 0x21;

/// The size of the dictionary of the first block, in bytes; nothing if the first bytes do not tell. A stream without blocks needs none.
#[must_use]
pub fn dictionary(head: &[u8]) -> Option<u64> {
    let block = head.strip_prefix(MARK.0).and_then(|_| head.get(MARK.1..))?;
    let (&length, rest) = block.split_first()?;
    if length == 0 {
        return Some(0);
    }
    let (&flags, mut rest) = rest.split_first()?;
    // What the block comes to, compressed and not, may stand first.
    for _ in 0..(flags & 0xc0).count_ones() {
        number(&mut rest)?;
    }
    for _ in 0..=flags & 3 {
        let (filter, size) = (number(&mut rest)?, number(&mut rest)?);
        let (properties, behind) = rest.split_at_checked(usize::try_from(size).ok()?)?;
        rest = behind;
        if filter == LZMA2 {
            let bits = *properties.first()?;
            return (bits < 40).then(|| (2 | u64::from(bits & 1)) << (bits / 2 + 11));
        }
    }
    None
}

/// A number of seven bits a byte, the lowest first.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_head_tells_the_dictionary() {
        for preset in [0, 1, 6, 9] {
            let options = lzma_rust2::XzOptions::with_preset(preset);
            let expected = u64::from(options.lzma_options.dict_size);
            let mut stream = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
            stream.write_all(b"words").unwrap();
            let bytes = stream.finish().unwrap();
            assert_eq!(dictionary(&bytes[..HEAD.min(bytes.len())]), Some(expected), "{preset}");
        }
        assert_eq!(dictionary(b"\xfd7zXZ\0\0\x04\0\0\0\0\x02\0\x21"), None);
        assert_eq!(dictionary(b"\xfd7zXZ\0\0\x04\0\0\0\0\0"), Some(0));
    }
}
