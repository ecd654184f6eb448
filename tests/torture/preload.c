/* Faults of a machine, on command: the process dies at its N-th write to a database, or that write
 * fails as on a full or dying disk; its N-th lock is somebody else's; the wall clock jumps. Loaded
 * with LD_PRELOAD, armed by ctypes, or from outside by the file that TORTURE_BOARD names.
 * Only files whose name contains ".sqlite" count, and only writes, syncs, truncations and locks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { WRITES, LOCKS };
struct board {              /* as tests/torture/board.py has it */
    volatile long until;    /* to let pass; below zero: not armed */
    volatile long failing;  /* to fail once it is reached */
    volatile long fault;    /* errno of those; 0: the process dies */
    volatile long kind;     /* of what: WRITES or LOCKS */
    volatile long deaths;   /* so many lives end there, one after the other */
    volatile long seen;     /* of that kind since the arming, or the last death */
    volatile long struck;   /* how many failed since the arming, or died */
};
static struct board own = {.until = -1}, *board = &own;
static volatile long shift_s = 0;

void torture_arm(long after, long times, int error) {
    own = (struct board){after, times, error, WRITES, 1, 0, 0};
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

static void die(void) {
    if (--board->deaths <= 0) board->until = -1;
    board->seen = 0, board->struck++;
    kill(getpid(), SIGKILL), pause();
}

static int strikes(int fd, long kind) {
    if (board->until < 0 || board->kind != kind || !is_database(fd)) return 0;
    long now = __sync_fetch_and_add(&board->seen, 1);
    if (now < board->until) return 0;
    if (!board->fault) die();
    if (now >= board->until + board->failing) return 0;
    board->struck++;
    errno = board->fault;
    return 1;
}

/* A disk that is read-only while writes fail so: what looks for the cause finds it too. */
static int is_read_only(const char *path, int flags) {
    const char *name = strrchr(path, '/');
    int probes = (flags & O_TMPFILE) == O_TMPFILE || !strncmp(name ? name : "", "/tmp", 4);
    return probes && board->until >= 0 && board->fault == EROFS && board->seen >= board->until
        && board->seen < board->until + board->failing;
}

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate64)(int, off64_t);
static int (*real_fcntl)(int, int, ...), (*real_open64)(const char *, int, ...);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_gettimeofday)(struct timeval *, void *);

__attribute__((constructor)) static void find_the_real_ones(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate64 = dlsym(RTLD_NEXT, "ftruncate64");
    real_open64 = dlsym(RTLD_NEXT, "open64");
    real_fcntl = dlsym(RTLD_NEXT, "fcntl64");
    if (!real_fcntl) real_fcntl = dlsym(RTLD_NEXT, "fcntl");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_gettimeofday = dlsym(RTLD_NEXT, "gettimeofday");
    const char *path = getenv("TORTURE_BOARD");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *found = mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (found != MAP_FAILED) board = found;
    close(fd);
}

ssize_t write(int fd, const void *data, size_t size) {
    return strikes(fd, WRITES) ? -1 : real_write(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return strikes(fd, WRITES) ? -1 : real_pwrite(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return strikes(fd, WRITES) ? -1 : real_pwrite64(fd, data, size, at);
}
int fsync(int fd) { return strikes(fd, WRITES) ? -1 : real_fsync(fd); }
int fdatasync(int fd) { return strikes(fd, WRITES) ? -1 : real_fdatasync(fd); }
int fcntl64(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *); /* all that fcntl takes fits */
    va_end(rest);
    int locks = command == F_SETLK && ((struct flock *)argument)->l_type != F_UNLCK;
    return locks && strikes(fd, LOCKS) ? -1 : real_fcntl(fd, command, argument);
}
int fcntl(int fd, int command, ...) __attribute__((alias("fcntl64")));
int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (is_read_only(path, flags)) return errno = EROFS, -1;
    return real_open64(path, flags, mode);
}
int open(const char *path, int flags, ...) __attribute__((alias("open64")));
int ftruncate64(int fd, off64_t size) { return strikes(fd, WRITES) ? -1 : real_ftruncate64(fd, size); }

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
