/* Faults of a machine, on command: the process dies at its N-th write to a database, or that write
 * fails as on a full or dying disk; the wall clock jumps. Loaded with LD_PRELOAD, armed by ctypes.
 * Only files whose name contains ".sqlite" count, and only writes, syncs and truncations. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long until = -1;    /* writes to let pass; below zero: not armed */
static long failing = 0;   /* writes to fail once it is reached */
static int fault = 0;      /* errno of those; 0: the process dies */
static volatile long seen; /* writes since the arming */
static volatile long shift_s = 0;

void torture_arm(long after, long times, int error) {
    seen = 0, until = after, failing = times, fault = error;
}
void torture_shift(long seconds) { shift_s = seconds; }

static int is_database(int fd) {
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, ".sqlite") != NULL;
}

static int strikes(int fd) {
    if (!is_database(fd)) return 0;
    long now = __sync_fetch_and_add(&seen, 1);
    if (until < 0 || now < until) return 0;
    if (!fault) kill(getpid(), SIGKILL), pause();
    if (now >= until + failing) return 0;
    errno = fault;
    return 1;
}

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate64)(int, off64_t);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_gettimeofday)(struct timeval *, void *);

__attribute__((constructor)) static void find_the_real_ones(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate64 = dlsym(RTLD_NEXT, "ftruncate64");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_gettimeofday = dlsym(RTLD_NEXT, "gettimeofday");
}

ssize_t write(int fd, const void *data, size_t size) {
    return strikes(fd) ? -1 : real_write(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return strikes(fd) ? -1 : real_pwrite(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return strikes(fd) ? -1 : real_pwrite64(fd, data, size, at);
}
int fsync(int fd) { return strikes(fd) ? -1 : real_fsync(fd); }
int fdatasync(int fd) { return strikes(fd) ? -1 : real_fdatasync(fd); }
int ftruncate64(int fd, off64_t size) { return strikes(fd) ? -1 : real_ftruncate64(fd, size); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int answer = real_clock_gettime(clock, now);
    if (!answer && clock == CLOCK_REALTIME) now->tv_sec += shift_s;
    return answer;
}
int gettimeofday(struct timeval *now, void *zone) {
    int answer = real_gettimeofday(now, zone);
    if (!answer) now->tv_sec += shift_s;
    return answer;
}
time_t time(time_t *into) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}
