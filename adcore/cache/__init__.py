def support(name, make):
    return make()
