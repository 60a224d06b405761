//! The filters of a PDF's streams. Each ends by itself, so that nobody has to know how long a stream is.

use std::io::{self, BufRead, BufReader, Read};

use weezl::{BitOrder, LzwStatus, decode::Decoder};

/// A filter that can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Ascii85,
    AsciiHex,
    Flate,
    /// Whether a code gets longer one code early, which is how most write it.
    Lzw {
        is_early: bool,
    },
}

/// What is to be done with a stream, by its dictionary.
#[derive(Debug, PartialEq, Eq)]
pub enum Filters {
    /// To be undone one after the other.
    Known(Vec<Filter>),
    /// It says nothing of filters, or says it elsewhere.
    Unsaid,
    /// A picture, or the table of what stands where: no text.
    NoText,
    /// What stands in it cannot be read.
    Opaque(&'static str),
}

impl Filters {
    /// What the text between `obj` and `stream` says.
    pub fn of(dictionary: &[u8]) -> Self {
        let has = |words: &[&[u8]]| words.iter().any(|word| memchr::memmem::find(dictionary, word).is_some());
        let Some(at) = memchr::memmem::find(dictionary, b"/Filter") else { return Self::Unsaid };
        if has(&[b"/XRef", b"/Subtype/Image", b"/Subtype /Image"]) {
            return Self::NoText;
        }
        let named = dictionary[at + b"/Filter".len()..].trim_ascii_start();
        let named = match named.strip_prefix(b"[") {
            Some(list) => &list[..memchr::memchr(b']', list).unwrap_or(list.len())],
            None if named.first() == Some(&b'/') => {
                let end = named[1..].iter().position(|byte| !byte.is_ascii_alphanumeric());
                &named[..end.map_or(named.len(), |end| end + 1)]
            }
            None => return Self::Unsaid,
        };
        if number_after(dictionary, b"/Predictor").is_some_and(|predictor| predictor > 1) {
            return Self::Opaque("a PDF stream with a predictor");
        }
        let mut filters = Vec::new();
        for name in named.split(|&byte| byte == b'/').skip(1) {
            filters.push(match name.trim_ascii() {
                b"ASCII85Decode" => Filter::Ascii85,
                b"ASCIIHexDecode" => Filter::AsciiHex,
                b"FlateDecode" => Filter::Flate,
                b"LZWDecode" => {
                    Filter::Lzw { is_early: number_after(dictionary, b"/EarlyChange") != Some(0) }
                }
                b"DCTDecode" | b"JPXDecode" | b"CCITTFaxDecode" | b"JBIG2Decode" => return Self::NoText,
                _ => return Self::Opaque("a PDF stream in a filter that is not read"),
            });
        }
        if filters.is_empty() { Self::Unsaid } else { Self::Known(filters) }
    }
}

fn number_after(dictionary: &[u8], key: &[u8]) -> Option<u32> {
    let at = memchr::memmem::find(dictionary, key)? + key.len();
    let digits: Vec<u8> =
        dictionary[at..].trim_ascii_start().iter().copied().take_while(u8::is_ascii_digit).take(6).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// A stream without its filters.
pub fn undone<'s>(source: impl BufRead + 's, filters: &[Filter]) -> Box<dyn BufRead + 's> {
    let source: Box<dyn BufRead + 's> = Box::new(source);
    filters.iter().fold(source, |source, filter| match filter {
        Filter::Ascii85 => Box::new(BufReader::new(Ascii::new(source, false))),
        Filter::AsciiHex => Box::new(BufReader::new(Ascii::new(source, true))),
        Filter::Flate => Box::new(BufReader::new(flate2::bufread::ZlibDecoder::new(source))),
        Filter::Lzw { is_early } => {
            let decoder = if *is_early {
                Decoder::with_tiff_size_switch(BitOrder::Msb, 8)
            } else {
                Decoder::new(BitOrder::Msb, 8)
            };
            Box::new(BufReader::new(Lzw { source, decoder, has_ended: false }))
        }
    })
}

/// Hexadecimal that ends with `>`, or base 85 that ends with `~>`.
struct Ascii<R> {
    source: R,
    is_hex: bool,
    has_ended: bool,
    /// What was decoded and not handed out.
    decoded: Vec<u8>,
}

impl<R: BufRead> Ascii<R> {
    fn new(source: R, is_hex: bool) -> Self {
        Self { source, is_hex, has_ended: false, decoded: Vec::new() }
    }

    /// Decodes the next group of digits. The last may be shorter.
    fn group(&mut self) -> io::Result<()> {
        let (size, base, last) = if self.is_hex { (2, 16, 0) } else { (5, 85, 84) };
        let (mut value, mut count) = (0_u64, 0);
        while count < size {
            let mut byte = [0];
            if self.source.read(&mut byte)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let digit = match byte[0] {
                b'>' | b'~' => {
                    self.has_ended = true;
                    break;
                }
                blank if blank.is_ascii_whitespace() || blank == 0 => continue,
                b'z' if !self.is_hex && count == 0 => {
                    self.decoded.extend([0; 4]);
                    return Ok(());
                }
                byte if self.is_hex => char::from(byte).to_digit(16).map(u64::from),
                byte @ b'!'..=b'u' => Some(u64::from(byte - b'!')),
                _ => None,
            };
            let digit = digit.ok_or_else(|| io::Error::other("what is no digit stands in it"))?;
            value = value * base + digit;
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        for _ in count..size {
            value = value * base + last;
        }
        let bytes = value.to_be_bytes();
        let whole = if self.is_hex { &bytes[7..] } else { &bytes[4..] };
        // A group of some digits is as many bytes less one; hexadecimal's is always one.
        self.decoded.extend_from_slice(&whole[..if self.is_hex { 1 } else { count - 1 }]);
        Ok(())
    }
}

impl<R: BufRead> Read for Ascii<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoded.len() < buffer.len() && !self.has_ended {
            if let Err(error) = self.group() {
                if self.decoded.is_empty() {
                    return Err(error);
                }
                break;
            }
        }
        let count = self.decoded.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.decoded[..count]);
        self.decoded.drain(..count);
        Ok(count)
    }
}

struct Lzw<R> {
    source: R,
    decoder: Decoder,
    has_ended: bool,
}

impl<R: BufRead> Read for Lzw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended && !buffer.is_empty() {
            let input = self.source.fill_buf()?;
            if input.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let result = self.decoder.decode_bytes(input, buffer);
            self.source.consume(result.consumed_in);
            match result.status {
                Ok(LzwStatus::Done) => self.has_ended = true,
                Ok(LzwStatus::Ok) => {}
                Ok(LzwStatus::NoProgress) => return Err(io::ErrorKind::InvalidData.into()),
                Err(error) => return Err(io::Error::other(error)),
            }
            if result.consumed_out > 0 {
                return Ok(result.consumed_out);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], filters: &[Filter]) -> Vec<u8> {
        let mut text = Vec::new();
        undone(bytes, filters).read_to_end(&mut text).expect("it is whole");
        text
    }

    #[test]
    fn digits_of_both_kinds_are_undone_with_blanks_and_a_short_end() {
        assert_eq!(read(b"74 6f\n6B 656e7>rest", &[Filter::AsciiHex]), b"tokenp");
        assert_eq!(
            read(b"87cURD]i,\n\"Ebo80z~>rest", &[Filter::Ascii85]),
            b"Hello World!\0\0\0\0"[..].to_vec()
        );
        for length in 0..9 {
            let text = &b"token=ab"[..length];
            assert_eq!(read(encoded(text).as_bytes(), &[Filter::Ascii85]), text);
        }
    }

    fn encoded(text: &[u8]) -> String {
        let mut out = String::new();
        for group in text.chunks(4) {
            let mut bytes = [0; 4];
            bytes[..group.len()].copy_from_slice(group);
            let value = u32::from_be_bytes(bytes);
            let digits = (0..5).rev().map(|place| (value / 85_u32.pow(place) % 85) as u8 + b'!');
            out.extend(digits.take(group.len() + 1).map(char::from));
        }
        out + "~>"
    }

    #[test]
    fn filters_are_undone_in_the_order_of_the_dictionary() {
        let of = |text: &str| Filters::of(text.as_bytes());
        let known = [Filter::Ascii85, Filter::Flate];
        assert_eq!(
            of("<< /Filter [ /ASCII85Decode /FlateDecode ] /Length 9 >>"),
            Filters::Known(known.to_vec())
        );
        assert_eq!(of("<</Filter[/ASCII85Decode/FlateDecode]>>"), Filters::Known(known.to_vec()));
        assert_eq!(
            of("<< /Filter/LZWDecode/DecodeParms<</EarlyChange 0>> >>"),
            Filters::Known(vec![Filter::Lzw { is_early: false }])
        );
        assert_eq!(of("<< /Length 9 >>"), Filters::Unsaid);
        assert_eq!(of("<< /Filter 7 0 R >>"), Filters::Unsaid);
        assert_eq!(of("<< /Filter /DCTDecode >>"), Filters::NoText);
        assert_eq!(of("<< /Type/XRef/Filter/FlateDecode/DecodeParms<</Predictor 12>> >>"), Filters::NoText);
        assert!(matches!(
            of("<< /Filter /FlateDecode /DecodeParms << /Predictor 12 >> >>"),
            Filters::Opaque(_)
        ));
        assert!(matches!(of("<< /Filter [/RunLengthDecode] >>"), Filters::Opaque(_)));
    }
}
