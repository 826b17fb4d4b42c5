"""Serves Presidio's analyzer over its documented HTTP: POST /analyze, GET /supportedentities, GET /health.

Presidio's own server is not in its package. Prints the port it listens on (loopback) as its first line, and ends when its
standard input does, so that it never outlives the test that started it.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider


def create_engine():
    file = os.path.join(os.path.dirname(__file__), "engine.yaml")
    nlp = NlpEngineProvider(conf_file=file).create_engine()
    return AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])


ENGINE = create_engine()
BATCH = BatchAnalyzerEngine(ENGINE)


def analyze(request):
    text = request.get("text")
    language = request.get("language")
    if not text:
        raise ValueError("No text provided")
    if not language:
        raise ValueError("No language provided")
    ENGINE.get_supported_entities(language)
    texts = text if isinstance(text, list) else [text]
    options = {"entities": request.get("entities"), "score_threshold": request.get("score_threshold")}
    found = BATCH.analyze_iterator(texts=texts, language=language, **options)
    answer = [[plain(result) for result in results] for results in found]
    return answer if isinstance(text, list) else answer[0]


def plain(result):
    return {
        "analysis_explanation": None,
        "end": result.end,
        "entity_type": result.entity_type,
        "score": result.score,
        "start": result.start,
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urlparse(self.path)
        if url.path == "/health":
            return self.answer(200, "Presidio Analyzer service is up")
        if url.path != "/supportedentities":
            return self.answer(404, {"error": "Not found"})
        language = parse_qs(url.query).get("language", ["en"])[0]
        try:
            return self.answer(200, ENGINE.get_supported_entities(language))
        except Exception as error:
            return self.answer(500, {"error": str(error)})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if urlparse(self.path).path != "/analyze":
            return self.answer(404, {"error": "Not found"})
        try:
            return self.answer(200, analyze(json.loads(body)))
        except TypeError as error:
            return self.answer(400, {"error": str(error)})
        except Exception as error:
            return self.answer(500, {"error": str(error)})


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve_forever()
