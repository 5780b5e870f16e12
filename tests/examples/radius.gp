# Mean squared radius of a block against its size: measured with two standard errors, and k/d.
set xlabel "block dimension k"
set ylabel "mean of |X|^2"
set key top left
plot data using 1:2:(2*$3) with yerrorbars linetype 1 title columnheader(1), \
     data using 1:4 with lines linetype 2 title "k/d"
