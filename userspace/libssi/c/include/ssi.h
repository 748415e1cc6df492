/*
 * libssi: the cluster for C programs. Link with -lssi.
 *
 * A process's number in the whole cluster is its node's number << 22 | its pid there; no pid of
 * one node is as large, so a pid_t is either. Functions return -1 (or NULL) on error, with errno
 * as below, and ssi_error() says in words what is wrong and what to do.
 *
 *   ECONNREFUSED  ssid of this node can't be asked
 *   ENOTCONN      this node is in no cluster
 *   EHOSTUNREACH  there is no such node, or it is not UP
 *   ESRCH, EPERM  no such process; not permitted on it: as for kill(2)
 *   ENOENT        the command was not found on its node
 *   EACCES        the command can't be executed on its node
 *   EINPROGRESS   whether it was done is not known: the node did not say
 *   EINVAL        an argument makes no sense
 *   EIO           anything else
 *
 * All functions may be called from any thread. Names are those of the original library where
 * it is known to have had such a function; its prototypes are lost.
 */
#ifndef SSI_H
#define SSI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* States of a node. */
enum {
	SSI_NEVERUP = 0,   /* has never been a member */
	SSI_COMINGUP = 1,  /* is being taken in */
	SSI_UP = 2,        /* takes part */
	SSI_SHUTDOWN = 3,  /* is leaving, and gives back what it owns */
	SSI_GOINGDOWN = 4, /* has given everything back */
	SSI_KCLEANUP = 5,  /* is out; kernels shut it out */
	SSI_UCLEANUP = 6,  /* is out; subsystems clean up after it */
	SSI_DOWN = 7       /* is out, and nothing of it is left */
};

/* A node. */
typedef struct clusternode_info {
	uint64_t epoch;       /* in which it came into its state */
	int64_t since;        /* when that was, seconds since 1970; 0: not known */
	uint64_t memory;      /* bytes */
	uint32_t incarnation; /* which life of it, from 1 */
	uint32_t cpus;
	uint16_t number;
	uint16_t state; /* SSI_UP and so on */
	char name[68];    /* cut off if longer */
	char address[48]; /* on the interconnect; "" if none */
} clusternode_info_t;

/* The view. */
typedef struct cluster_info {
	uint64_t epoch;    /* counts the changes of the view */
	uint16_t node;     /* this one */
	uint16_t master;   /* 0: nobody has been agreed on */
	uint16_t maxnodes; /* the largest number */
	uint16_t fenced;   /* 1: this node has lost its lease */
} cluster_info_t;

/* A node went from one state to another. */
typedef struct cluster_transition {
	uint64_t epoch; /* that it led to */
	int64_t at;     /* when this node saw it, seconds since 1970 */
	uint32_t incarnation;
	uint16_t node;
	uint16_t from; /* states */
	uint16_t to;
	uint16_t zero[3];
} cluster_transition_t;

/* What was wrong with this thread's last call, in words; "" if nothing. Good until its next. */
const char *ssi_error(void);

/* --- membership --- */

/* The number of this node. */
int clusternode_num(void);
/* 1 if a node is UP, 0 if not or if there is none of this number. */
int clusternode_avail(int node);
/* What is known of a node. */
int clusternode_info(int node, clusternode_info_t *info);
/* The cluster's name, cut off if longer; its length. */
ssize_t cluster_name(char *name, size_t size);
/* The largest number that a node can have. */
int cluster_maxnodes(void);
/* The view, and the first `room` of its nodes, in order; how many nodes there are. Each of the
 * two may be NULL (room 0). */
ssize_t cluster_membership(cluster_info_t *view, clusternode_info_t *nodes, size_t room);
/* The last `room` transitions that this node saw, oldest first; how many were stored. */
ssize_t cluster_history(cluster_transition_t *transitions, size_t room);
/* Waits until the view has another epoch than `known`, `milliseconds` at most (< 0: for ever).
 * 1: it has, and `view` (may be NULL) says which; 0: it has not. */
int cluster_transition(uint64_t known, int milliseconds, cluster_info_t *view);

/* --- processes --- */

/* The clusterwide number of a process of this node, or the number itself if it is one. */
pid_t ssi_pid(pid_t pid);
/* On which node a process is. */
int ssi_where(pid_t pid);
/* As kill(2), on any node: < -1 is a process group. Signal 0 only looks. */
int ssi_kill(pid_t pid, int signal);
/* Becomes a command on a node (0: the least loaded): what is left here is its surrogate. The
 * file is looked for on that node. */
int rexecvp(const char *file, char *const argv[], int node);
/* Starts a command on a node (0: the least loaded) as a child of this process, and returns its
 * clusterwide number once it runs. It has this process's standard streams, environment,
 * directory and limits. */
pid_t rspawnvp(const char *file, char *const argv[], int node);
/* The pid of the surrogate that stands here for what rspawnvp() has started. */
pid_t ssi_surrogate(pid_t pid);
/* As waitpid(2), for children here and those of rspawnvp(), which it knows by their clusterwide
 * numbers. */
pid_t ssi_waitpid(pid_t pid, int *status, int options);

#ifdef __cplusplus
}
#endif

#endif
