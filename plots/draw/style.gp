# Common look of every figure: one width, the width of a journal's column, with no text under 7 points (7 as a
# font's size here is 7.05 points of paper; sub- and superscripts are letters of their own, at full size);
# `height` (centimetres) is the figure's own. Expects format ("png" or "pdf"), out and data (paths).
# Series bring line types of their own, from 101 on, defined before this file.
set encoding utf8
width = 8.8
if (!exists("height")) height = 6.6
if (format eq "png") {
    set terminal pngcairo size 1320,int(150 * height) enhanced font "DejaVu Sans,7" fontscale 4.0 linewidth 3.4 pointscale 2.4 background rgb "white"
} else {
    set terminal pdfcairo size width/2.54,height/2.54 enhanced font "DejaVu Sans,7" fontscale 0.756 linewidth 0.8 pointscale 0.45
}
set output out
# Places in centimetres from the left and from the top, as fractions of the figure.
sx(cm) = cm / width
sy(cm) = 1 - cm / height
set linetype 1 linecolor rgb "#0072B2" dashtype 1          pointtype 7  pointsize 1.0
set linetype 2 linecolor rgb "#D55E00" dashtype (9,4)      pointtype 5  pointsize 0.9
set linetype 3 linecolor rgb "#009E73" dashtype (3,3)      pointtype 9  pointsize 1.1
set linetype 4 linecolor rgb "#CC79A7" dashtype (9,3,2,3)  pointtype 13 pointsize 1.2
set border 3 linecolor rgb "#444444" linewidth 0.8
set tics nomirror out scale 0.5
set grid xtics ytics linetype 1 linecolor rgb "#BBBBBB" linewidth 0.45 dashtype 1
set errorbars small
set key samplen 2.4 spacing 1.05 font ",7"
set title font ",8"
set datafile missing "nan"
set datafile separator tab
# Lines of a key that go on with the label above.
set linetype 100 linecolor rgb "#FFFFFF" linewidth 0.1 dashtype 1 pointtype 7 pointsize 0
key_entries = "for [i=0:keys-1] keyentry with linespoints linetype (value(sprintf(\"key_style%d\", i))) title value(sprintf(\"key_text%d\", i)) noenhanced"
# A last panel of a multiplot that holds nothing but the key.
key_below = "unset title; unset xlabel; unset ylabel; unset border; unset tics; unset label; unset arrow; unset logscale; set xrange [0:1]; set yrange [0:1]; set lmargin at screen 0; set rmargin at screen 1"
