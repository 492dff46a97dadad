//! Chance that can be repeated.

/// A sequence of numbers that follows from its seed alone (SplitMix64).
#[derive(Clone, Debug)]
pub struct Seed(u64);

impl Seed {
    /// The sequence of this number, or of ORDERGRAPH_TEST_SEED where that is set, to look for
    /// schedules nobody has thought of.
    pub fn new(number: u64) -> Self {
        let given = std::env::var("ORDERGRAPH_TEST_SEED").ok().and_then(|text| text.parse::<u64>().ok());
        let seed = given.map_or(number, |given| given.wrapping_add(number));
        println!("seed {seed}");
        Self(seed)
    }

    /// Another sequence, for somebody else.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 and below this one.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("fits")
    }

    /// True this many times in a hundred.
    pub fn percent(&mut self, share: u64) -> bool {
        self.next() % 100 < share
    }
}
