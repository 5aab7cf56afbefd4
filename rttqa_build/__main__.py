"""``python -m rttqa_build``: the same program where .exe files are forbidden."""

from rttqa_build.cli import main

if __name__ == "__main__":
    main()
