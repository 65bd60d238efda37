/* mark.h: the firewall mark of adopted sockets, for dial and the nft rules. */
#ifndef ENGINE_MARK_H
#define ENGINE_MARK_H

/*
 * SO_MARK of every adopted socket, "mswe". The output rule drops a RST from
 * our source ports unless its packet carries this mark (DESIGN.md 1.3).
 */
enum { ADOPT_MARK = 0x6d737765 };

#endif
