#!/usr/bin/python3
"""Mail servers made of Python's libraries, and a name server without names.

    foreign.py names                            127.0.0.1 port 53: NXDOMAIN
    foreign.py aiosmtpd ADDR [CERT KEY [LOGIN]] port 25
    foreign.py lmtp ADDR CERT KEY               port 25, LMTP of aiosmtpd
    foreign.py twisted ADDR [CERT KEY]          ports 25, 110, 143 and, with a
                                                certificate, 465, 993, 995
"""

import asyncio
import socket
import ssl
import sys


def names():
    """Servers that ask who we are must not wait for an answer."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))
    while True:
        query, who = sock.recvfrom(1500)
        sock.sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6)
                    + query[12:], who)


def context(cert, key):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(cert, key)
    return made


def aiosmtpd(addr, cert=None, key=None, login=None):
    from aiosmtpd.handlers import Sink
    from aiosmtpd.smtp import SMTP

    def protocol():
        return SMTP(Sink(), hostname="aiosmtpd.lab.test",
                    tls_context=context(cert, key) if cert else None,
                    auth_require_tls=not login,
                    authenticator=lambda *_: None)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(loop.create_server(protocol, addr, 25))
    loop.run_forever()


def lmtp(addr, cert, key):
    from aiosmtpd.handlers import Sink
    from aiosmtpd.lmtp import LMTP

    loop = asyncio.new_event_loop()
    loop.run_until_complete(loop.create_server(
        lambda: LMTP(Sink(), hostname="lmtp.lab.test",
                     tls_context=context(cert, key)), addr, 25))
    loop.run_forever()


def twisted(addr, cert=None, key=None):
    from twisted.cred.portal import Portal
    from twisted.internet import protocol, reactor, ssl as tls
    from twisted.mail import imap4, pop3, smtp

    portal = Portal(None)
    secure = tls.DefaultOpenSSLContextFactory(key, cert) if cert else None

    class Imap(protocol.Factory):
        def buildProtocol(self, _):
            server = imap4.IMAP4Server(contextFactory=secure)
            server.portal = portal
            server.challengers = {b"LOGIN": imap4.LOGINCredentials,
                                  b"PLAIN": imap4.PLAINCredentials}
            return server

    class Pop(protocol.Factory):
        def buildProtocol(self, _):
            server = pop3.POP3()
            server.factory = self
            server.portal = portal
            return server

        def cap_EXPIRE(self):
            raise NotImplementedError

    class Smtp(smtp.SMTPFactory):
        def buildProtocol(self, _):
            server = smtp.ESMTP(contextFactory=secure, chal={
                b"LOGIN": imap4.LOGINCredentials,
                b"PLAIN": imap4.PLAINCredentials})
            server.factory = self
            server.portal = portal
            server.host = b"twisted.lab.test"
            return server

    for made, clear, implicit in ((Smtp, 25, 465), (Pop, 110, 995),
                                  (Imap, 143, 993)):
        reactor.listenTCP(clear, made(), interface=addr)
        if secure:
            reactor.listenSSL(implicit, made(), secure, interface=addr)
    reactor.run()


globals()[sys.argv[1]](*sys.argv[2:])
