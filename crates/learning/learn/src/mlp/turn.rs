//! Transposes of matrices in panels.

use pulp::Arch;
use rayon::prelude::*;

use super::panels::{Line, Panels, WIDTH, panels, share};

/// 16 lines of a panel.
type Block = [Line; WIDTH];

/// Lines that are worth waking a thread for to turn them.
const WORTH: usize = 4096;

/// The transpose of a matrix, columns × rows.
pub(super) fn turn(from: Panels<'_>, into: &mut Vec<Line>) {
    into.resize(from.columns * panels(from.rows), [0.0; WIDTH]);
    if from.columns == 0 {
        return;
    }
    let count = if from.lines.len() < WORTH { panels(from.rows) } else { share(from.rows) };
    into.par_chunks_mut(count.max(1) * from.columns).enumerate().for_each(|(part, into)| {
        let turning = Turn { from, first: part * count, into };
        match Arch::new() {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(v4) => v4.vectorize(
                #[inline(always)]
                || {
                    turning.by(
                        #[inline(always)]
                        |block, into| block_by_shuffles(v4, block, into),
                    );
                },
            ),
            arch => arch.dispatch(
                #[inline(always)]
                || turning.by(block_by_moves),
            ),
        }
    });
}

/// Some panels of a transpose, from number `first` on.
struct Turn<'a> {
    from: Panels<'a>,
    first: usize,
    into: &'a mut [Line],
}

impl Turn<'_> {
    /// By what turns a block.
    #[inline(always)]
    fn by(self, turn_block: impl Fn(&Block, &mut Block)) {
        let Self { from, first, into } = self;
        for (panel, into) in into.chunks_exact_mut(from.columns).enumerate() {
            let row = (first + panel) * WIDTH;
            let height = (from.rows - row).min(WIDTH);
            for (lines, into) in from.lines.chunks_exact(from.rows).zip(into.chunks_mut(WIDTH)) {
                let lines = &lines[row..row + height];
                // Whole blocks are turned without asking how large they are.
                match (lines.as_array(), into.as_mut_array()) {
                    (Some(lines), Some(into)) => turn_block(lines, into),
                    _ => {
                        let (mut block, mut turned) = ([[0.0; WIDTH]; WIDTH], [[0.0; WIDTH]; WIDTH]);
                        block[..height].copy_from_slice(lines);
                        turn_block(&block, &mut turned);
                        into.copy_from_slice(&turned[..into.len()]);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn block_by_moves(block: &Block, into: &mut Block) {
    for row in 0..WIDTH {
        for column in 0..WIDTH {
            into[column][row] = block[row][column];
        }
    }
}

/// The compiler makes a move for each number of [`block_by_moves`]; here lines stay in registers and trade pairs and quarters.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn block_by_shuffles(v4: pulp::x86::V4, block: &Block, into: &mut Block) {
    use std::arch::x86_64::__m512;
    let f = v4.avx512f;
    // Closures would not be compiled for these instructions.
    macro_rules! pairs {
        ($half:ident, $a:expr, $b:expr) => {
            f._mm512_castpd_ps(f.$half(f._mm512_castps_pd($a), f._mm512_castps_pd($b)))
        };
    }
    macro_rules! quarters {
        (even, $a:expr, $b:expr) => {
            f._mm512_shuffle_f32x4::<0b10_00_10_00>($a, $b)
        };
        (odd, $a:expr, $b:expr) => {
            f._mm512_shuffle_f32x4::<0b11_01_11_01>($a, $b)
        };
    }
    let rows: [__m512; WIDTH] = pulp::cast(*block);
    let (mut twos, mut fours) = (rows, rows);
    // In each quarter of a line: columns 0 and 1, or 2 and 3, of two rows.
    for i in (0..WIDTH).step_by(2) {
        twos[i] = f._mm512_unpacklo_ps(rows[i], rows[i + 1]);
        twos[i + 1] = f._mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    // In quarter q of line i + j: column 4 q + j of rows i to i + 3.
    for i in (0..WIDTH).step_by(4) {
        fours[i] = pairs!(_mm512_unpacklo_pd, twos[i], twos[i + 2]);
        fours[i + 1] = pairs!(_mm512_unpackhi_pd, twos[i], twos[i + 2]);
        fours[i + 2] = pairs!(_mm512_unpacklo_pd, twos[i + 1], twos[i + 3]);
        fours[i + 3] = pairs!(_mm512_unpackhi_pd, twos[i + 1], twos[i + 3]);
    }
    for j in 0..4 {
        let [a, b, c, d] = [fours[j], fours[j + 4], fours[j + 8], fours[j + 12]];
        let (even, even_below) = (quarters!(even, a, b), quarters!(even, c, d));
        let (odd, odd_below) = (quarters!(odd, a, b), quarters!(odd, c, d));
        into[j] = pulp::cast(quarters!(even, even, even_below));
        into[j + 4] = pulp::cast(quarters!(even, odd, odd_below));
        into[j + 8] = pulp::cast(quarters!(odd, even, even_below));
        into[j + 12] = pulp::cast(quarters!(odd, odd, odd_below));
    }
}

#[cfg(test)]
mod tests {
    use super::super::panels::tests::{SIZES, lines, matrix};
    use super::*;

    #[test]
    fn turned_matrices_hold_nothing_of_those_before() {
        let mut into = vec![[7.0; WIDTH]; 500];
        for (rows, columns) in SIZES.map(|(m, k, _)| (m, k)).into_iter().chain([(300, 290), (40, 17), (3, 0)]) {
            let (of, from) = matrix(3, rows, columns);
            turn(Panels::new(rows, columns, &from), &mut into);
            let turned: Vec<_> = (0..columns).map(|column| of.iter().map(|row| row[column]).collect()).collect();
            assert_eq!(into, lines(&turned), "{rows} × {columns}");
        }
    }

    #[test]
    fn blocks_are_turned_alike_by_single_moves_and_by_shuffles() {
        let from: Block = std::array::from_fn(|row| std::array::from_fn(|column| (WIDTH * row + column) as f32));
        let expected: Block = std::array::from_fn(|row| std::array::from_fn(|column| from[column][row]));
        let mut turned = [[f32::NAN; WIDTH]; WIDTH];
        block_by_moves(&from, &mut turned);
        assert_eq!(turned, expected);
        #[cfg(target_arch = "x86_64")]
        if let Some(v4) = pulp::x86::V4::try_new() {
            let mut turned = [[f32::NAN; WIDTH]; WIDTH];
            block_by_shuffles(v4, &from, &mut turned);
            assert_eq!(turned, expected);
        }
    }
}
