/*
 * The cluster from a C program: a verb each for what ssi.h offers. It is a test of it, and an
 * example.
 */
#include <errno.h>
#include <inttypes.h>
#include <ssi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(clusternode_info_t) == 152, "as the library has it");
_Static_assert(sizeof(cluster_info_t) == 16, "as the library has it");
_Static_assert(sizeof(cluster_transition_t) == 32, "as the library has it");

static int failed(const char *what)
{
	int number = errno;

	fprintf(stderr, "%s: errno %d (%s): %s\n", what, number, strerror(number), ssi_error());
	return 1;
}

static int membership(void)
{
	clusternode_info_t nodes[16], one;
	cluster_info_t view;
	char name[8];
	ssize_t count = cluster_membership(&view, nodes, 16);

	if (count < 0 || cluster_name(name, sizeof name) < 0)
		return failed("membership");
	printf("%s node %d of %zd, largest %d, epoch %" PRIu64 "\n", name, clusternode_num(),
	       count, cluster_maxnodes(), view.epoch);
	for (ssize_t i = 0; i < count && i < 16; i++)
		printf("%d %s %s state %d available %d cpus %s\n", nodes[i].number, nodes[i].name,
		       nodes[i].address, nodes[i].state, clusternode_avail(nodes[i].number),
		       nodes[i].cpus > 0 && nodes[i].memory > 0 ? "some" : "none");
	if (clusternode_info(view.node, &one) != 0 || one.epoch != nodes[view.node - 1].epoch)
		return failed("clusternode_info");
	if (clusternode_info(400, &one) != -1 || errno != EHOSTUNREACH || !*ssi_error())
		return failed("clusternode_info of no node");
	return 0;
}

static int transition(void)
{
	cluster_transition_t last[4];
	cluster_info_t view, next;
	int changed;

	if (cluster_membership(&view, NULL, 0) < 0)
		return failed("cluster_membership");
	if (cluster_transition(view.epoch, 50, &next) != 0)
		return failed("nothing has changed");
	puts("waiting");
	fflush(stdout);
	changed = cluster_transition(view.epoch, 20000, &next);
	if (changed != 1 || next.epoch <= view.epoch)
		return failed("cluster_transition");
	/* All that one crash leads to. */
	for (int i = 0; i < 100; i++) {
		ssize_t count = cluster_history(last, 4);

		if (count > 0 && last[count - 1].epoch > view.epoch &&
		    last[count - 1].to == SSI_DOWN) {
			printf("node %d is in state %d\n", last[count - 1].node, last[count - 1].to);
			return 0;
		}
		usleep(100000);
	}
	return failed("cluster_history");
}

static void ended(pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		printf("%d/%d killed by %d\n", pid >> 22, pid & ((1 << 22) - 1), WTERMSIG(status));
	else
		printf("%d/%d exited %d\n", pid >> 22, pid & ((1 << 22) - 1), WEXITSTATUS(status));
}

/* Starts a command and waits for it; with a signal, looks where it is and sends it that. */
static int spawn(int node, int signal, char **argv)
{
	int status;
	pid_t pid = rspawnvp(argv[0], argv, node);

	if (pid < 0)
		return failed("rspawnvp");
	if (signal) {
		printf("on %d\n", ssi_where(pid));
		if (ssi_waitpid(pid, &status, WNOHANG) != 0)
			return failed("it has ended already");
		if (ssi_kill(pid, signal) != 0)
			return failed("ssi_kill");
	}
	if (ssi_surrogate(pid) <= 0 || ssi_waitpid(-1, &status, 0) != pid)
		return failed("ssi_waitpid");
	ended(pid, status);
	if (ssi_waitpid(pid, &status, 0) != -1 || errno != ECHILD)
		return failed("it can be waited for once");
	return 0;
}

/* Children here and there, waited for as they end. */
static int several(void)
{
	char *slow[] = {"sh", "-c", "sleep 0.5; exit 3", NULL};
	char *fast[] = {"sh", "-c", "exit 2", NULL};
	int status;
	pid_t here = fork();

	if (here == 0)
		_exit(1);
	pid_t far = rspawnvp("sh", slow, 2), near = rspawnvp("sh", fast, clusternode_num());

	if (here < 0 || far < 0 || near < 0)
		return failed("children");
	for (int i = 0; i < 3; i++) {
		pid_t pid = ssi_waitpid(-1, &status, 0);

		printf("%s %d\n", pid == here ? "here" : pid == near ? "near" : pid == far ? "far" : "?",
		       WEXITSTATUS(status));
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "membership"))
		return membership();
	if (!strcmp(verb, "transition"))
		return transition();
	if (!strcmp(verb, "several"))
		return several();
	if (!strcmp(verb, "spawn") && argc > 4)
		return spawn(atoi(argv[2]), atoi(argv[3]), argv + 4);
	if (!strcmp(verb, "rexec") && argc > 3) {
		rexecvp(argv[3], argv + 3, atoi(argv[2]));
		return failed("rexecvp");
	}
	if (!strcmp(verb, "kill") && argc > 3)
		return ssi_kill(atoi(argv[2]), atoi(argv[3])) ? failed("ssi_kill") : 0;
	if (!strcmp(verb, "number")) {
		pid_t pid = ssi_pid(getpid());

		if (pid < 0 || ssi_pid(pid) != pid || ssi_where(pid) != clusternode_num())
			return failed("ssi_pid");
		printf("%d\n", pid);
		return 0;
	}
	fprintf(stderr, "which verb?\n");
	return 2;
}
