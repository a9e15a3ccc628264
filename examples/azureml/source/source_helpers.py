def offset():
    return 100
