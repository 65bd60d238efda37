/* nft.h: the two rules that keep the kernel quiet (DESIGN.md 1.3). */
#ifndef ENGINE_NFT_H
#define ENGINE_NFT_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct nft;

enum { NFT_ERROR_MAX = 512 };

/*
 * Start one `nft -i`, give it two tables that it owns and that end with it
 * (flags owner, Linux 5.12), and read them back. NULL, and why in error.
 * A predecessor whose death the kernel has not digested yet is waited for.
 */
struct nft *nft_start(const struct conf *, char error[NFT_ERROR_MAX]);

/* When the child dies the rules are gone. */
bool nft_lives(struct nft *);

/* Take the rules away and reap the child. */
void nft_end(struct nft *);

/* Can a table have an owner here? For `mailsweepd -n`; leaves nothing. */
bool nft_try(char error[NFT_ERROR_MAX]);

#endif
