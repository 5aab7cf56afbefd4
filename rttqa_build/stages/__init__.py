"""The stages of a build, a module each: :mod:`rttqa_build.build` calls them in their order."""
