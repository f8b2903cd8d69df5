from modelcheck import reach
def memslot_updater(kvm, caches):
    yield reach("memslot deleted")
