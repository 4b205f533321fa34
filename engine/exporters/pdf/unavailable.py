"""What is said where a library that makes PDF files is missing."""

from engine.errors import EngineError


class PdfUnavailable(EngineError):
    """WeasyPrint, HarfBuzz, pikepdf, or Pango beneath them, is not installed."""

    message = (
        "PDF files cannot be made here: {problem}; install the extra (pip install 'engine[pdf]') "
        "and Pango (apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
    )
