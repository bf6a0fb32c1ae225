/* What a C program needs for the same work: the floor that the others are measured against. */
#include <libvirt/libvirt.h>
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

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    const char *uri = argv[2];
    long count = atol(argv[3]);
    virConnectPtr conn = virConnectOpen(uri);
    if (!conn)
        return 1;
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
            if (!strcmp(argv[1], "info"))
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
