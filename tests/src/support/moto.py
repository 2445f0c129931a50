"""moto_server whose conditions hold between writers.

It serves each request in a thread of its own and looks at the present object and puts the new one in two steps, so that
two writers with conditions may both win, as they never do at Amazon's. Here such requests follow one another.
"""

import threading

import moto.server

one_at_a_time = threading.Lock()
run_simple = moto.server.run_simple


def run_in_order(host, port, application, **options):
    def in_order(environ, start_response):
        if "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ:
            with one_at_a_time:
                return application(environ, start_response)
        return application(environ, start_response)

    return run_simple(host, port, in_order, **options)


moto.server.run_simple = run_in_order
moto.server.main()
