// SPDX-License-Identifier: GPL-2.0

//! Indices that speculation cannot carry out of bounds.
//!
//! C header: [`include/linux/nospec.h`](srctree/include/linux/nospec.h)

use super::compiler::hide_var;

/// Whether bit `nr` of the first `size` bits of `bitmap` is set; a bit beyond them is not.
///
/// A CPU that speculates past the check reads another bit of the bitmap, so that user space, which
/// chooses `nr`, cannot learn what lies behind it.
///
/// # Examples
///
/// ```ignore
/// let bitmap = [0b101];
/// assert!(test_bit_nospec(&bitmap, 3, 2));
/// assert!(!test_bit_nospec(&bitmap, 2, 2));
/// ```
#[inline(always)]
pub(crate) fn test_bit_nospec<const WORDS: usize>(
    bitmap: &[usize; WORDS],
    size: usize,
    nr: usize,
) -> bool {
    let bits = usize::BITS as usize;

    nr < size.min(WORDS * bits) && get_masked(bitmap, nr / bits) >> (nr % bits) & 1 != 0
}

/// Entry `index` of `table`; an index beyond it is cut off, which is also what a CPU does that
/// speculates past a check of it.
///
/// Two instructions less than `array_index_nospec()`, for the table's size is a power of two, and no
/// function of C's where helpers are calls.
#[inline(always)]
pub(crate) fn get_masked<T, const N: usize>(table: &[T; N], index: usize) -> &T {
    const { assert!(N.is_power_of_two()) };
    // The compiler would leave out a mask that a check before makes needless for what is not
    // speculated.
    let index = hide_var(index) & (N - 1);

    // SAFETY: `N` is a power of two, so that the index is less.
    unsafe { table.get_unchecked(index) }
}

#[cfg(CONFIG_SECCOMP_RUST_KUNIT_TEST)]
#[kernel::macros::kunit_tests(seccomp_rust_nospec)]
mod tests {
    use super::*;

    const BITS: usize = usize::BITS as usize;

    #[test]
    fn the_bits_that_are_set_and_no_others() {
        for set in 0..2 * BITS {
            let mut bitmap = [0; 2];
            bitmap[set / BITS] = 1 << (set % BITS);
            for nr in 0..3 * BITS {
                assert_eq!(test_bit_nospec(&bitmap, 2 * BITS, nr), nr == set);
            }
        }
    }

    #[test]
    fn none_beyond_the_size() {
        let bitmap = [usize::MAX; 2];
        for size in [
            0,
            1,
            BITS - 1,
            BITS,
            BITS + 1,
            2 * BITS,
            2 * BITS + 1,
            usize::MAX,
        ] {
            for nr in [0, 1, BITS - 1, BITS, 2 * BITS - 1, 2 * BITS, usize::MAX] {
                let inside = nr < size && nr < 2 * BITS;
                assert_eq!(test_bit_nospec(&bitmap, size, nr), inside);
            }
        }
    }

    #[test]
    fn an_index_is_cut_off() {
        let table = [0, 1, 2, 3];
        for index in 0..4 {
            assert_eq!(*get_masked(&table, index), index);
        }
        assert_eq!(*get_masked(&table, 4), 0);
        assert_eq!(*get_masked(&table, usize::MAX), 3);
    }
}
