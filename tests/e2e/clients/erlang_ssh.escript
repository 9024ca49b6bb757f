% Erlang's ssh.
main([Port]) ->
    ok = ssh:start(),
    Options = [{user, "guest"}, {silently_accept_hosts, true}, {save_accepted_host, false},
               {user_interaction, false}],
    {ok, Ssh} = ssh:connect("127.0.0.1", list_to_integer(Port), Options),
    {ok, Channel} = ssh_connection:session_channel(Ssh, infinity),
    success = ssh_connection:exec(Ssh, Channel, "probe who", infinity),
    read(Ssh, Channel).

read(Ssh, Channel) ->
    receive
        {ssh_cm, Ssh, {data, Channel, 0, Data}} -> io:put_chars(Data), read(Ssh, Channel);
        {ssh_cm, Ssh, {closed, Channel}} -> ok;
        {ssh_cm, Ssh, _} -> read(Ssh, Channel)
    end.
