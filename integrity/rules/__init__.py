"""Events to matches: which of them the rules of a rules file are about, and what is told of them.

Nothing here can touch a verdict: events of log files come out of a verification that is over.
"""
