/* sandbox.h: how a role gives up its rights, in the order of DESIGN.md 2. */
#ifndef ENGINE_SANDBOX_H
#define ENGINE_SANDBOX_H

#include <sys/types.h>

#include <stdbool.h>

#include "engine/role.h"

struct conf;

/*
 * Who a role becomes: its user when that exists, else an id counted from
 * uid_base; says which. Before the sandbox only: it reads the user database.
 */
bool sandbox_user(enum role, const struct conf *, uid_t *, gid_t *);

const char *sandbox_user_name(enum role);

/*
 * Called by a role when everything that needs a right is open: chroot to the
 * empty root where the role has one, groups, gid, uid, capabilities (dial
 * keeps CAP_NET_ADMIN), rlimits, no_new_privs, Landlock (store: its data
 * directory, where it stands already: "."), seccomp with the role's table;
 * SIGSYS says which call it was and ends the process. Then CTL_READY goes to
 * the parent. fatal() when a step fails; a kernel without Landlock is said in
 * the log and goes on.
 */
void sandbox_enter(enum role, const struct conf *, unsigned instance);

/*
 * TESTHOOKS builds only: read MAILSWEEP_HOOK ("probe:socket", "probe:open",
 * "probe:exec" ...; at the n-th conversation: "probe:socket@3") and break that
 * rule when called. Nothing at all in a product build.
 */
#ifdef TESTHOOKS
void sandbox_hook(enum role);
#else
#define sandbox_hook(role) ((void)0)
#endif

#endif
