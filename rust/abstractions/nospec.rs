// SPDX-License-Identifier: GPL-2.0

//! Indices that speculation cannot carry out of bounds.
//!
//! C header: [`include/linux/nospec.h`](srctree/include/linux/nospec.h)

use kernel::bindings;

/// Whether bit `nr` of the first `size` bits of `bitmap` is set; a bit beyond them is not.
///
/// A CPU that speculates past the check reads bit 0 instead, so that user space, which chooses
/// `nr`, cannot learn what lies behind the bitmap.
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
    let size = size.min(WORDS * bits);
    if nr >= size {
        return false;
    }
    // SAFETY: The function computes a number.
    let nr = unsafe { bindings::array_index_nospec(nr, size) };

    // SAFETY: The function returns `nr` where that is less than `size`, as it is here, and 0 on a
    // mispredicted path alone. So the word is one of the bitmap's.
    let word = unsafe { *bitmap.get_unchecked(nr / bits) };

    word >> (nr % bits) & 1 != 0
}

/// Entry `index` of `table`; an index beyond it is cut off, which is also what a CPU does that
/// speculates past a check of it.
///
/// Two instructions less than `array_index_nospec()`, where the table's size is a power of two.
#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
#[inline(always)]
pub(crate) fn get_masked<T, const N: usize>(table: &[T; N], index: usize) -> &T {
    const { assert!(N.is_power_of_two()) };
    // SAFETY: The function returns its argument. The compiler does not know that, and so keeps a
    // mask that a check before makes needless for what is not speculated.
    let index = unsafe { bindings::hide_index(index) } & (N - 1);

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
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    fn an_index_is_cut_off() {
        let table = [0, 1, 2, 3];
        for index in 0..4 {
            assert_eq!(*get_masked(&table, index), index);
        }
        assert_eq!(*get_masked(&table, 4), 0);
        assert_eq!(*get_masked(&table, usize::MAX), 3);
    }
}
