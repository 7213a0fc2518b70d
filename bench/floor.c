/* The floor: what the kernel alone takes to run a program in a container's namespaces, with nothing around it.
 *
 * Each iteration is a clone3 into new mount, uts, ipc and pid namespaces (and, when asked, a network namespace), an
 * overlay of one layer, /proc, pivot_root, exec of a static `busybox true`, and wait. It prints the microseconds of each
 * iteration on a line.
 *
 * usage: floor <rootfs> <scratch folder> <iterations> none|net
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(long result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        _exit(1);
    }
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void container(const char *target, const char *options)
{
    char *const argv[] = {"busybox", "true", NULL}, *const env[] = {NULL};

    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount private");
    must(mount("overlay", target, "overlay", 0, options), "mount overlay");
    must(chdir(target), "chdir");
    must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "mount proc");
    must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(umount2(".", MNT_DETACH), "umount old root");
    must(execve("/bin/busybox", argv, env), "execve");
}

static double iteration(const char *target, const char *options, uint64_t flags)
{
    struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
    int status;
    double start = now_us();
    long pid = syscall(SYS_clone3, &args, sizeof args);

    must(pid, "clone3");
    if (pid == 0)
        container(target, options);
    must(waitpid(pid, &status, 0), "waitpid");
    if (status != 0) {
        fprintf(stderr, "floor: the program ended with status %d\n", status);
        exit(1);
    }
    return now_us() - start;
}

int main(int argc, char **argv)
{
    uint64_t flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID;

    if (argc != 5) {
        fprintf(stderr, "usage: floor <rootfs> <scratch folder> <iterations> none|net\n");
        return 2;
    }
    if (strcmp(argv[4], "net") == 0)
        flags |= CLONE_NEWNET;
    must(chdir(argv[2]), "chdir to the scratch folder");
    for (int i = 0; i < atoi(argv[3]); i++) {
        char upper[64], work[64], target[64], options[4096];

        /* A container finds its folders made: they are not part of the floor. */
        snprintf(upper, sizeof upper, "upper.%d.%d", getpid(), i);
        snprintf(work, sizeof work, "work.%d.%d", getpid(), i);
        snprintf(target, sizeof target, "target.%d.%d", getpid(), i);
        must(mkdir(upper, 0755), "mkdir");
        must(mkdir(work, 0755), "mkdir");
        must(mkdir(target, 0755), "mkdir");
        snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", argv[1], upper, work);
        printf("%.0f\n", iteration(target, options, flags));
    }
    return 0;
}
