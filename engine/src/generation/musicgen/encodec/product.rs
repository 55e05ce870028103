//! Thread: worker. The matrix product that all convolutions of the codec come down to. The only user of gemm.
//!
//! Signals lie in memory as `[moment][channel]`. The window of a convolution is then one contiguous run of numbers, and all windows
//! together are a matrix whose rows overlap: a product with strides needs no copy of them.

use gemm::Parallelism;

/// `out[row][column] += Σ left[row · left_stride + i] · right[i][column]` for `i` in `0..inner`.
///
/// `out` is `[rows][columns]`, `right` is `[inner][columns]`, and rows of `left` may overlap. Runs on the calling thread: beside a
/// host, one thread that computes is faster than two that wait for each other on busy cores.
///
/// # Panics
/// When the lengths do not fit, which is a mistake of the caller.
pub fn add_product(out: &mut [f32], columns: usize, left: &[f32], left_stride: usize, inner: usize, right: &[f32]) {
    let rows = out.len() / columns;
    if rows == 0 {
        return;
    }
    assert_eq!(out.len(), rows * columns, "the result is no whole number of rows");
    assert_eq!(right.len(), inner * columns, "the weights have another shape");
    assert!(left.len() >= (rows - 1) * left_stride + inner, "the signal is shorter than its windows");
    // SAFETY: by the three assertions above every index that the strides reach lies within its slice; `out` is borrowed mutably,
    // so it overlaps neither input; slices are no longer than `isize::MAX`, so the strides fit.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            columns as isize,
            true,
            left.as_ptr(),
            1,
            left_stride as isize,
            right.as_ptr(),
            1,
            columns as isize,
            1.0_f32,
            1.0_f32,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
