"""What the protocols share: the gfn_to_pfn cache, memslots with SRCU, the MMU notifier, as processes call them.

No spec of its own: it has no model, only pieces of one.  `gpc` holds the cache and what it lies on, `pfncache`,
`refresh_steps` and `activation` its functions, `cache_versions` how they changed, `making` puts it into a model;
`invalidators` and `memslots` are processes.
"""
