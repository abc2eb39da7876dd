/*
 * Stands between a process and the kernel (LD_PRELOAD), for one folder: counts the calls that change files below it, and at
 * the n-th one lets it fail with a chosen errno, do half of it, or kills the process. Every change that reaches the kernel
 * can be written to a trace, in order, with its data: `tests/powerloss/disk.py` makes of it what a power cut may leave.
 *
 * Nothing happens until `shim_arm` is called, so a process can start, import and fork first. Memory that a file is mapped
 * into is not seen: of the state's files only SQLite's `-shm` is used so, and that is made anew after a crash.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum mode { COUNT, FAIL_ONCE, FAIL_FROM, HALF, KILL, FAIL_READ };
enum kind { CREATE = 'c', FOLDER = 'd', WRITE = 'w', CUT = 't', SYNC = 's', UNLINK = 'u', RENAME = 'r' };

#define FILES 1024

static struct { int used; uint64_t inode; char path[PATH_MAX]; } open_files[FILES];
static char root[PATH_MAX];
static size_t root_length;
static int armed, mode, error, trace = -1;
static long at, passed;
static char hit[PATH_MAX + 64];
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

void shim_arm(const char *folder, int how, long n, int code, const char *trace_file) {
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    mode = how; at = n; error = code; passed = 0; hit[0] = 0;
    trace = trace_file[0] ? (int)syscall(SYS_openat, AT_FDCWD, trace_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    armed = 1;
}

long shim_passed(void) { return passed; }
const char *shim_hit(void) { return hit; }

static int below(const char *path) {
    return armed && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* The path as the kernel will take it, without symbolic links being followed: tests give absolute, plain folders. */
static const char *whole(const char *path, char *space) {
    if (path[0] == '/') return path;
    if (!getcwd(space, PATH_MAX)) return path;
    size_t length = strlen(space);
    snprintf(space + length, PATH_MAX - length, "/%s", path);
    return space;
}

static void put(char kind, const char *path, uint64_t inode, uint64_t offset, const void *data, uint64_t size) {
    if (trace < 0) return;
    uint32_t length = (uint32_t)strlen(path);
    char head[64];
    size_t used = 0;
    head[used++] = kind;
    memcpy(head + used, &length, 4); used += 4;
    memcpy(head + used, &inode, 8); used += 8;
    memcpy(head + used, &offset, 8); used += 8;
    memcpy(head + used, &size, 8); used += 8;
    syscall(SYS_write, trace, head, used);
    syscall(SYS_write, trace, path, length);
    if (data && size) syscall(SYS_write, trace, data, size);
}

/* Called with the turn held. 1: the call has to fail with `error`; 2: do half of it. */
static int point(const char *what, const char *path, int reads) {
    if (reads != (mode == FAIL_READ)) return 0;
    passed++;
    if (at == 0 || passed < at || (passed > at && mode != FAIL_FROM)) return 0;
    if (passed == at) snprintf(hit, sizeof hit, "%s %s", what, path);
    if (mode == KILL) { syscall(SYS_kill, getpid(), SIGKILL); for (;;) pause(); }
    if (mode == HALF && passed == at) return 2;
    return mode != COUNT;
}

static int known(int file) { return armed && file >= 0 && file < FILES && open_files[file].used; }

static void keep(int file, const char *path) {
    struct stat found;
    if (file < 0 || file >= FILES || fstat(file, &found)) return;
    open_files[file].used = 1;
    open_files[file].inode = found.st_ino;
    snprintf(open_files[file].path, PATH_MAX, "%s", path);
}

static int opened(int (*real)(const char *, int, ...), const char *given, int flags, mode_t rights) {
    char space[PATH_MAX];
    const char *path = whole(given, space);
    if (!below(path)) return real(given, flags, rights);
    pthread_mutex_lock(&turn);
    int missing = access(path, F_OK) != 0;
    if ((flags & O_CREAT) && missing && point("create", path, 0)) { pthread_mutex_unlock(&turn); errno = error; return -1; }
    int file = real(given, flags, rights);
    if (file >= 0) {
        keep(file, path);
        if ((flags & O_CREAT) && missing) put(CREATE, path, open_files[file].inode, 0, NULL, 0);
        if ((flags & O_TRUNC) && !missing) put(CUT, path, open_files[file].inode, 0, NULL, 0);
    }
    pthread_mutex_unlock(&turn);
    return file;
}

#define RIGHTS va_list more; va_start(more, flags); mode_t rights = (flags & O_CREAT) ? va_arg(more, mode_t) : 0; va_end(more)

int open(const char *path, int flags, ...) { RIGHTS; return opened((int (*)(const char *, int, ...))REAL(open), path, flags, rights); }
int open64(const char *path, int flags, ...) { RIGHTS; return opened((int (*)(const char *, int, ...))REAL(open64), path, flags, rights); }

int close(int file) {
    if (file >= 0 && file < FILES) open_files[file].used = 0;
    return REAL(close)(file);
}

static ssize_t written(int file, const void *data, size_t size, off_t offset, int placed) {
    ssize_t (*real_at)(int, const void *, size_t, off_t) = (ssize_t (*)(int, const void *, size_t, off_t))REAL(pwrite);
    ssize_t (*real)(int, const void *, size_t) = REAL(write);
    if (!known(file)) return placed ? real_at(file, data, size, offset) : real(file, data, size);
    pthread_mutex_lock(&turn);
    int fails = point("write", open_files[file].path, 0);
    ssize_t done = -1;
    if (fails == 1 || (fails == 2 && size < 2)) errno = error;
    else {
        if (fails == 2) size /= 2;
        if (!placed) offset = lseek(file, 0, SEEK_CUR);
        done = placed ? real_at(file, data, size, offset) : real(file, data, size);
        if (done > 0) put(WRITE, open_files[file].path, open_files[file].inode, (uint64_t)offset, data, (uint64_t)done);
    }
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t write(int file, const void *data, size_t size) { return written(file, data, size, 0, 0); }
ssize_t pwrite(int file, const void *data, size_t size, off_t offset) { return written(file, data, size, offset, 1); }
ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) { return written(file, data, size, offset, 1); }

static ssize_t reading(int file, void *data, size_t size, off_t offset) {
    ssize_t (*real)(int, void *, size_t, off_t) = (ssize_t (*)(int, void *, size_t, off_t))REAL(pread);
    if (!known(file)) return real(file, data, size, offset);
    pthread_mutex_lock(&turn);
    int fails = point("read", open_files[file].path, 1);
    pthread_mutex_unlock(&turn);
    if (fails) { errno = error; return -1; }
    return real(file, data, size, offset);
}

ssize_t pread(int file, void *data, size_t size, off_t offset) { return reading(file, data, size, offset); }
ssize_t pread64(int file, void *data, size_t size, off64_t offset) { return reading(file, data, size, offset); }

#define ON_FILE(what, call, record)                                                                                     \
    if (!known(file)) return call;                                                                                      \
    pthread_mutex_lock(&turn);                                                                                          \
    int done = -1;                                                                                                      \
    if (point(what, open_files[file].path, 0)) errno = error;                                                           \
    else if (!(done = call)) record;                                                                                    \
    pthread_mutex_unlock(&turn);                                                                                        \
    return done

int fsync(int file) { ON_FILE("fsync", REAL(fsync)(file), put(SYNC, open_files[file].path, open_files[file].inode, 0, NULL, 0)); }
int fdatasync(int file) { ON_FILE("fsync", REAL(fdatasync)(file), put(SYNC, open_files[file].path, open_files[file].inode, 0, NULL, 0)); }
int ftruncate(int file, off_t size) {
    ON_FILE("truncate", REAL(ftruncate)(file, size), put(CUT, open_files[file].path, open_files[file].inode, (uint64_t)size, NULL, 0));
}
int ftruncate64(int file, off64_t size) {
    ON_FILE("truncate", REAL(ftruncate64)(file, size), put(CUT, open_files[file].path, open_files[file].inode, (uint64_t)size, NULL, 0));
}

#define ON_PATH(what, call, record)                                                                                     \
    char space[PATH_MAX];                                                                                               \
    const char *path = whole(given, space);                                                                             \
    if (!below(path)) return call;                                                                                      \
    pthread_mutex_lock(&turn);                                                                                          \
    int done = -1;                                                                                                      \
    if (point(what, path, 0)) errno = error;                                                                            \
    else if (!(done = call)) record;                                                                                    \
    pthread_mutex_unlock(&turn);                                                                                        \
    return done

int unlink(const char *given) { ON_PATH("unlink", REAL(unlink)(given), put(UNLINK, path, 0, 0, NULL, 0)); }
int mkdir(const char *given, mode_t rights) { ON_PATH("mkdir", REAL(mkdir)(given, rights), put(FOLDER, path, 0, 0, NULL, 0)); }
int rename(const char *given, const char *target) {
    char other[PATH_MAX];
    const char *to = whole(target, other);
    ON_PATH("rename", REAL(rename)(given, target), put(RENAME, path, 0, 0, to, strlen(to)));
}
