//! Many processes: what they cost whoever looks at all.

use std::time::Instant;

use crate::common::Cluster;
use crate::shell;

const MANY: usize = 1_000;
/// How long ps may take, on a machine that does other things as well.
const MOST: f64 = 10.0;

pub(crate) fn many(cluster: &Cluster) {
    let (host, there) = (cluster.host(1), cluster.host(2));
    there.sh(&format!(
        "for n in $(seq {MANY}); do setsid sleep 4716 >/dev/null 2>&1 </dev/null & done"
    ));
    for line in ["ps -ef", "top -b -n1", "pgrep sleep", "ps -eo pid,comm"] {
        let begun = Instant::now();
        let text = shell(host, line);
        let all = begun.elapsed().as_secs_f64();
        let count = text.lines().count();
        println!("    {line}: {count} lines in {all:.3} s");
        assert!(count >= MANY && all < MOST, "{count} lines in {all} s");
    }
    let begun = Instant::now();
    host.run(&["ssi", "ps", "-ef"]);
    println!("    ssi ps -ef: {:.3} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    there.run(&["ps", "-ef"]);
    println!("    ps -ef there: {:.3} s", begun.elapsed().as_secs_f64());
    // Whoever reads again reads what is so then.
    let fresh = "exec 3</proc; ls /proc >/dev/null
        p=$(pgrep -n sleep); a=$(cat /proc/$p/stat); kill -STOP $p; sleep 0.05
        b=$(cat /proc/$p/stat); kill -KILL $p; [ \"$a\" != \"$b\" ]";
    shell(host, fresh);
    let begun = Instant::now();
    shell(host, "pkill -x -f 'sleep 4716'");
    println!(
        "    killed one by one: {:.3} s",
        begun.elapsed().as_secs_f64()
    );
}
