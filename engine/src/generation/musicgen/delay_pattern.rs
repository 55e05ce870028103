//! Thread: worker. The delay pattern: which frame's code a column of the language model holds, codebook by codebook.
//!
//! Column 0 holds nothing but the first code. Codebook `k` at column `j` holds frame `j - 1 - delay(k)`, so that a column predicts
//! the coarse code of a frame before its fine ones (arXiv 2306.05284, section 2.2).

/// The pattern of one checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayPattern {
    /// Token streams.
    pub codebooks: usize,
    /// 1 or 2; in stereo, streams are left, right, left, right, and a pair shares its delay.
    pub channels: usize,
    /// The code of a cell without a frame.
    pub nothing: u32,
}

impl DelayPattern {
    /// Frames by which a codebook lags.
    pub fn delay(&self, codebook: usize) -> usize {
        codebook / self.channels
    }

    /// The largest delay: columns that follow the last frame's first code.
    pub fn longest_delay(&self) -> usize {
        self.delay(self.codebooks - 1)
    }

    /// Columns of a piece, the first one included.
    pub fn columns(&self, frames: usize) -> usize {
        frames + self.longest_delay() + 1
    }

    /// The frame in a cell, if the pattern puts one of `frames` there.
    pub fn frame(&self, codebook: usize, column: usize, frames: usize) -> Option<usize> {
        column.checked_sub(1 + self.delay(codebook)).filter(|&frame| frame < frames)
    }

    /// The column whose cell holds a frame.
    pub fn column(&self, codebook: usize, frame: usize) -> usize {
        frame + 1 + self.delay(codebook)
    }

    /// One column of known codes `[codebook][frame]`. Frames at or past `frames` are nothing; so is a frame not known yet.
    pub fn lay_out(&self, codes: &[Vec<u32>], column: usize, frames: usize) -> Vec<u32> {
        let cell = |(codebook, codes): (usize, &Vec<u32>)| {
            let frame = self.frame(codebook, column, frames)?;
            codes.get(frame).copied()
        };
        codes.iter().enumerate().map(|stream| cell(stream).unwrap_or(self.nothing)).collect()
    }

    /// Frames that are known in every codebook once the cells up to and including column `column` are.
    pub fn complete_frames(&self, column: usize) -> usize {
        column.saturating_sub(self.longest_delay())
    }
}
