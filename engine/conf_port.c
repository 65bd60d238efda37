/* conf_port.c: which protocol a port is set to. */
#include <stddef.h>

#include "engine/conf.h"

const struct conf_port *
conf_port(const struct conf *conf, uint16_t port)
{
	for (uint32_t i = 0; i < conf->nports; i++)
		if (conf->ports[i].port == port)
			return &conf->ports[i];
	return NULL;
}
