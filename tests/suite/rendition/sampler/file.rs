//! A sound set of one sine, written here: what its samples hold is known exactly.

/// A SoundFont file with one preset, 0:0, of one looped region over all keys.
pub struct OneSine {
    /// The samples' rate.
    pub rate: u32,
    /// Frequency of the sine.
    pub hz: f64,
    /// The key it sounds as recorded.
    pub key: u8,
    /// More parameters of the region: number and value.
    pub values: Vec<(u16, i16)>,
}

impl OneSine {
    pub fn file(&self) -> Vec<u8> {
        let frames = 8_192_u32;
        // A whole number of periods in the loop: the sine goes on without a seam.
        let periods = (self.hz * f64::from(frames) / f64::from(self.rate)).round();
        let turn = std::f64::consts::TAU * periods / f64::from(frames);
        let whole = 3 * frames;
        let mut samples: Vec<u8> =
            (0..whole).flat_map(|frame| ((16_000.0 * (turn * f64::from(frame)).sin()) as i16).to_le_bytes()).collect();
        samples.extend([0; 92]);
        let name = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(20, 0);
            bytes
        };
        let row = |fields: &[&[u8]]| fields.concat();
        let two = |value: u16| value.to_le_bytes();
        let four = |value: u32| value.to_le_bytes();
        let mut generators = Vec::new();
        for (number, value) in &self.values {
            generators.extend(row(&[&two(*number), &value.to_le_bytes()]));
        }
        generators.extend(row(&[&two(54), &two(1), &two(53), &two(0)]));
        let count = u16::try_from(self.values.len() + 2).expect("few parameters");
        generators.extend([0; 4]);
        let preset = |text: &str, first: u16| row(&[&name(text), &two(0), &two(0), &two(first), &[0; 12]]);
        let tables = [
            chunk(b"phdr", &[preset("Sine", 0), preset("EOP", 1)].concat()),
            chunk(b"pbag", &row(&[&two(0), &two(0), &two(1), &two(0)])),
            chunk(b"pmod", &[0; 10]),
            chunk(b"pgen", &row(&[&two(41), &two(0), &[0; 4]])),
            chunk(b"inst", &row(&[&name("Sine"), &two(0), &name("EOI"), &two(1)])),
            chunk(b"ibag", &row(&[&two(0), &two(0), &two(count), &two(0)])),
            chunk(b"imod", &[0; 10]),
            chunk(b"igen", &generators),
            chunk(
                b"shdr",
                &row(&[
                    &name("Sine"),
                    &four(0),
                    &four(whole),
                    &four(frames),
                    &four(2 * frames),
                    &four(self.rate),
                    &[self.key, 0],
                    &two(0),
                    &two(1),
                    &name("EOS"),
                    &[0; 26],
                ]),
            ),
        ];
        let list = |kind: &[u8; 4], inside: &[u8]| chunk(b"LIST", &[kind.as_slice(), inside].concat());
        let information = [chunk(b"ifil", &row(&[&two(2), &two(1)])), chunk(b"INAM", b"One sine\0\0")].concat();
        let body =
            [list(b"INFO", &information), list(b"sdta", &chunk(b"smpl", &samples)), list(b"pdta", &tables.concat())];
        chunk(b"RIFF", &[b"sfbk".as_slice(), &body.concat()].concat())
    }
}

fn chunk(name: &[u8; 4], inside: &[u8]) -> Vec<u8> {
    let length = u32::try_from(inside.len()).expect("a small file");
    let mut bytes = [name.as_slice(), &length.to_le_bytes(), inside].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}
