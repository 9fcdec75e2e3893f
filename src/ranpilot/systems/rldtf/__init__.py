"""RLDTF: a language model trained by the feedback of the digital twin.

Choices (the adviser): states from running networks are tried with every action on copies (`labels.py`), the returns are
the teacher (`choices.py`), and what was learned is measured beside rules, trees and the labels' own best action
(`yardsticks.py`, `scores.py`), also under announcements that try to give orders (`injection.py`).
"""
