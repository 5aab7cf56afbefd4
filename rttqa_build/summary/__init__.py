"""Clinical summary (PDF), local report (HTML) and email (text), from one frozen context of display values.

``context`` says what can be shown and where; ``assemble`` fills it from manifest, trial and settings;
``figures`` and ``views`` draw; ``pdf``, ``report`` and ``email`` render. Layer 5.
"""
