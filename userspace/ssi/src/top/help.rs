/// What `h` shows.
pub(super) const KEYS: &str = "\
ssi top: the whole cluster, again and again

  P M T L N      sort by processor, memory, time, load, number; R: the other way round
  /              only those with a text in their names or arguments
  n              only those of a node; Tab, Shift-Tab: the next node, the one before
  Esc            all of them
  arrows, pages  select
  k              send a signal to whoever is selected
  r              change the niceness of whoever is selected
  c              names or arguments
  space          look now
  ^Z             stop, until fg
  q, ^C          quit

%CPU is of one processor since the last look; CPU% of a node of all it has. CONNS are the
clients' connections that a node forwards (ssi lvs -L), NEW/S the new ones a second.
Any key goes back.
";
