# Common look of every figure: the Okabe-Ito palette, which colour-blind readers can tell apart, and a
# dash type and point type of its own for each series, so that a greyscale print reads as well.
# Expects: out (path without ending), format ("png" or "pdf"), data (path), and what a script names.
set encoding utf8
if (format eq "png") {
    set terminal pngcairo size 1400,900 enhanced font "DejaVu Sans,18" linewidth 2 background rgb "white"
} else {
    set terminal pdfcairo size 17.5cm,11.25cm enhanced font "DejaVu Sans,11" linewidth 1.5
}
set output out.".".format
set linetype 1 linecolor rgb "#0072B2" dashtype 1       pointtype 7  pointsize 1.3
set linetype 2 linecolor rgb "#D55E00" dashtype (12,5)  pointtype 5  pointsize 1.2
set linetype 3 linecolor rgb "#009E73" dashtype (4,4)   pointtype 9  pointsize 1.4
set linetype 4 linecolor rgb "#CC79A7" dashtype (12,4,3,4) pointtype 13 pointsize 1.5
set linetype 5 linecolor rgb "#E69F00" dashtype (16,4,3,4,3,4) pointtype 11 pointsize 1.4
set linetype 6 linecolor rgb "#56B4E9" dashtype (8,3)   pointtype 6  pointsize 1.4
set linetype 7 linecolor rgb "#000000" dashtype 1       pointtype 4  pointsize 1.3
set linetype 8 linecolor rgb "#666666" dashtype (2,3)   pointtype 8  pointsize 1.4
set linetype 9 linecolor rgb "#8B4513" dashtype (6,2,2,2) pointtype 12 pointsize 1.5
set linetype cycle 9
set border 3 linecolor rgb "#444444" linewidth 0.7
set tics nomirror out scale 0.6
set grid xtics ytics linecolor rgb "#DDDDDD" linewidth 0.5 dashtype 1
set key samplen 3.5 spacing 1.15
set datafile missing "nan"
set datafile separator tab
