/* What a C program needs for the same work: the floor that the others are measured against. */
#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void *run_events(void *unused)
{
    while (virEventRunDefaultImpl() == 0)
        ;
    return unused;
}

static void *ask_host(void *uri)
{
    virConnectPtr conn = virConnectOpen(uri);
    if (!conn)
        exit(1);
    virConnectSetKeepAlive(conn, 5, 3);
    virDomainPtr *domains;
    int found = virConnectListAllDomains(conn, &domains, 0);
    for (int i = 0; i < found; i++)
        virDomainFree(domains[i]);
    free(domains);
    virConnectClose(conn);
    return NULL;
}

/* Connects to `count` hosts and lists their domains, all at the same time; prints the duration in seconds. */
static int ask_hosts(char *uri, long count)
{
    pthread_t events, threads[count];
    virEventRegisterDefaultImpl();
    pthread_create(&events, NULL, run_events, NULL);
    double began = now();
    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, ask_host, uri))
            return 1;
    for (long i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%.9f\n", now() - began);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    char *uri = argv[2];
    long count = atol(argv[3]);
    if (!strcmp(argv[1], "hosts"))
        return ask_hosts(uri, count);
    /* With keepalive, as virhai has it on every remote connection, a frozen daemon is an error and
     * no hang; it needs an event loop, which wakes up for each call. */
    int kept_alive = getenv("KEEPALIVE") != NULL;
    if (kept_alive) {
        pthread_t events;
        virEventRegisterDefaultImpl();
        pthread_create(&events, NULL, run_events, NULL);
    }
    virConnectPtr conn = virConnectOpen(uri);
    if (!conn)
        return 1;
    if (kept_alive)
        virConnectSetKeepAlive(conn, 5, 3);
    if (!strcmp(argv[1], "list")) {
        virDomainPtr *domains;
        int found = virConnectListAllDomains(conn, &domains, 0);
        for (int i = 0; i < found; i++) {
            virDomainInfo info;
            virDomainGetInfo(domains[i], &info);
            printf("%s %d\n", virDomainGetName(domains[i]), info.state);
            virDomainFree(domains[i]);
        }
        free(domains);
    } else {
        virDomainPtr dom = virDomainLookupByName(conn, argc > 4 ? argv[4] : "test");
        double began = now();
        for (long i = 0; i < count; i++) {
            virDomainInfo info;
            int state, reason;
            if (!strcmp(argv[1], "events"))
                i % 2 ? virDomainResume(dom) : virDomainSuspend(dom);
            else if (!strcmp(argv[1], "info"))
                virDomainGetInfo(dom, &info);
            else
                virDomainGetState(dom, &state, &reason, 0);
        }
        printf("%.9f\n", (now() - began) / count);
        virDomainFree(dom);
    }
    virConnectClose(conn);
    return 0;
}
