// SPDX-License-Identifier: GPL-2.0

//! How the lines of the screen are shared out among lists.

/// How many of `lines` each list gets, if they want so many. The first ones come first: each gets its title and a row
/// if there is room, and then all get more in turn.
pub(super) fn share_out(lines: usize, wanted: &[usize]) -> Vec<usize> {
    let mut left = lines;
    let mut shares: Vec<usize> = wanted
        .iter()
        .map(|wanted| {
            let least = match *wanted {
                0 => 0,
                _ => 2,
            };
            match left.checked_sub(least) {
                Some(rest) => {
                    left = rest;
                    least
                }
                None => 0,
            }
        })
        .collect();
    loop {
        let before = left;
        for (share, wanted) in shares.iter_mut().zip(wanted) {
            if left > 0 && *share > 0 && *share < *wanted {
                *share += 1;
                left -= 1;
            }
        }
        if left == before {
            return shares;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_screens_have_the_first_lists() {
        assert_eq!(share_out(3, &[5, 5]), [3, 0]);
        assert_eq!(share_out(4, &[5, 5]), [2, 2]);
        assert_eq!(share_out(9, &[3, 0, 20]), [3, 0, 6]);
        assert_eq!(share_out(1, &[3]), [0]);
    }

    proptest! {
        #[test]
        fn no_line_is_given_away(
            lines in 0..200_usize,
            wanted in prop::collection::vec(prop_oneof![Just(0), 2..40_usize], 0..6),
        ) {
            let shares = share_out(lines, &wanted);
            let sum: usize = shares.iter().sum();
            prop_assert!(sum <= lines);
            prop_assert!(shares.iter().zip(&wanted).all(|(share, wanted)| share <= wanted && *share != 1));
            // A line is left only if nobody wants it.
            prop_assert!(sum == lines || shares.iter().zip(&wanted).all(|(share, wanted)| share == wanted || *share == 0));
        }
    }
}
