//! Transposing matrices in panels.

use pulp::Arch;
use rayon::prelude::*;

use super::panels::{Line, PANEL_WIDTH, Panels, panel_count, panels_per_thread};

/// A square block: 16 lines of a panel.
type Block = [Line; PANEL_WIDTH];

/// Matrices with fewer lines are transposed by one thread: waking others would take longer.
const MIN_PARALLEL_LINES: usize = 4096;

/// Writes the transpose of a matrix, columns × rows, into `into`.
pub(super) fn transpose(from: Panels<'_>, into: &mut Vec<Line>) {
    into.resize(from.columns * panel_count(from.rows), [0.0; PANEL_WIDTH]);
    if from.columns == 0 {
        return;
    }
    let count =
        if from.lines.len() < MIN_PARALLEL_LINES { panel_count(from.rows) } else { panels_per_thread(from.rows) };
    into.par_chunks_mut(count.max(1) * from.columns).enumerate().for_each(|(part, into)| {
        let chunk = Transpose { from, first: part * count, into };
        match Arch::new() {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(v4) => v4.vectorize(
                #[inline(always)]
                || {
                    chunk.run(
                        #[inline(always)]
                        |block, into| transpose_block_avx512(v4, block, into),
                    );
                },
            ),
            arch => arch.dispatch(
                #[inline(always)]
                || chunk.run(transpose_block_scalar),
            ),
        }
    });
}

/// Consecutive panels of a transpose, from number `first` on.
struct Transpose<'a> {
    from: Panels<'a>,
    first: usize,
    into: &'a mut [Line],
}

impl Transpose<'_> {
    /// Transposes block by block.
    #[inline(always)]
    fn run(self, transpose_block: impl Fn(&Block, &mut Block)) {
        let Self { from, first, into } = self;
        for (panel, into) in into.chunks_exact_mut(from.columns).enumerate() {
            let row = (first + panel) * PANEL_WIDTH;
            let height = (from.rows - row).min(PANEL_WIDTH);
            for (lines, into) in from.lines.chunks_exact(from.rows).zip(into.chunks_mut(PANEL_WIDTH)) {
                let lines = &lines[row..row + height];
                // Full blocks have a size known to the compiler.
                match (lines.as_array(), into.as_mut_array()) {
                    (Some(lines), Some(into)) => transpose_block(lines, into),
                    _ => {
                        let (mut block, mut transposed) =
                            ([[0.0; PANEL_WIDTH]; PANEL_WIDTH], [[0.0; PANEL_WIDTH]; PANEL_WIDTH]);
                        block[..height].copy_from_slice(lines);
                        transpose_block(&block, &mut transposed);
                        into.copy_from_slice(&transposed[..into.len()]);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn transpose_block_scalar(block: &Block, into: &mut Block) {
    for row in 0..PANEL_WIDTH {
        for column in 0..PANEL_WIDTH {
            into[column][row] = block[row][column];
        }
    }
}

/// The compiler moves every number of [`transpose_block_scalar`] by itself; here whole lines stay in registers and
/// exchange pairs and quarters.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn transpose_block_avx512(v4: pulp::x86::V4, block: &Block, into: &mut Block) {
    use std::arch::x86_64::__m512;
    let f = v4.avx512f;
    // Macros, because closures would not be compiled for these instructions.
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
    let rows: [__m512; PANEL_WIDTH] = pulp::cast(*block);
    let (mut twos, mut fours) = (rows, rows);
    // In each quarter of a line: columns 0 and 1, or 2 and 3, of two rows.
    for i in (0..PANEL_WIDTH).step_by(2) {
        twos[i] = f._mm512_unpacklo_ps(rows[i], rows[i + 1]);
        twos[i + 1] = f._mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    // In quarter q of line i + j: column 4 q + j of rows i to i + 3.
    for i in (0..PANEL_WIDTH).step_by(4) {
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
    fn a_reused_buffer_keeps_nothing_of_the_matrix_before() {
        let mut into = vec![[7.0; PANEL_WIDTH]; 500];
        for (rows, columns) in SIZES.map(|(m, k, _)| (m, k)).into_iter().chain([(300, 290), (40, 17), (3, 0)]) {
            let (values, from) = matrix(3, rows, columns);
            transpose(Panels::new(rows, columns, &from), &mut into);
            let transposed: Vec<_> =
                (0..columns).map(|column| values.iter().map(|row| row[column]).collect()).collect();
            assert_eq!(into, lines(&transposed), "{rows} × {columns}");
        }
    }

    #[test]
    fn scalar_and_avx512_code_transpose_blocks_alike() {
        let from: Block = std::array::from_fn(|row| std::array::from_fn(|column| (PANEL_WIDTH * row + column) as f32));
        let expected: Block = std::array::from_fn(|row| std::array::from_fn(|column| from[column][row]));
        let mut transposed = [[f32::NAN; PANEL_WIDTH]; PANEL_WIDTH];
        transpose_block_scalar(&from, &mut transposed);
        assert_eq!(transposed, expected);
        #[cfg(target_arch = "x86_64")]
        if let Some(v4) = pulp::x86::V4::try_new() {
            let mut transposed = [[f32::NAN; PANEL_WIDTH]; PANEL_WIDTH];
            transpose_block_avx512(v4, &from, &mut transposed);
            assert_eq!(transposed, expected);
        }
    }
}
