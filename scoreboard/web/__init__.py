"""The page that people look at: plain files, served as they are.

``index.html`` belongs at ``/`` and every other file at ``/web/<name>``; the addresses in the page are relative, so that
it also works below a prefix. Nothing in it needs more than the policy ``default-src 'self'``.
"""
