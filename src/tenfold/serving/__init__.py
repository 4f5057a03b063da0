"""The HTTP service and the page to draw on.

    guards      who may ask: Host, Origin, Sec-Fetch-Site, the token; the headers of every response
    problems    every refusal and fault in one form
    bodies      the body of a request -> pictures, within limits
    queues      work off the event loop: how much waits, the threads, batches for the classifier
    service     all of it without HTTP
    answers     what is answered, as values
    openapi     what the OpenAPI document says of bodies and problems
    page/       the page, plain files
    api         requests -> the service -> responses
    connection  one connection, with limits on time and size
    server      the port, the signals, the end

`from tenfold.serving.server import Server`: the room itself imports nothing of it, since FastAPI is slow to load.
"""
