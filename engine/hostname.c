/* hostname.c: names of hosts, as somebody else's name server gave them. */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "engine/hostname.h"

enum { NAME_MAX_LEN = 253, LABEL_MAX = 63 };

/* Of ASCII, whatever the locale. */
static bool
may_stand(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || c == '-' || c == '_');
}

static bool
is_hostname(const char *s, size_t n)
{
	size_t label = 0;
	unsigned dots = 0;
	bool number = true;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '.' && label > 0) {
			label = 0;
			number = true;
			dots++;
			continue;
		}
		if (!may_stand(c) || ++label > LABEL_MAX)
			return false;
		number = number && isdigit(c);
	}
	return dots > 0 && label > 0 && !number;
}

bool
hostname_clean(const char *from, char to[HOSTNAME_CAP])
{
	/* With a final dot, and one more to see that it is too long. */
	size_t n = strnlen(from, NAME_MAX_LEN + 2);

	if (n > 0 && from[n - 1] == '.')
		n--;
	if (n > NAME_MAX_LEN || !is_hostname(from, n))
		return false;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)tolower((unsigned char)from[i]);
	to[n] = '\0';
	return true;
}
