
  # The authorities that may sign the broker's certificate, by their fingerprints. They are imported from the file
  # wgmqtt-ca.pem, unless they are there; an import leaves out what the router has already, under whatever name.
  :local authorities ({})
@fingerprints@
  :local countLacking do={
    :local lacking 0
    :foreach wanted,order in=$1 do={
      :if ([:len [/certificate/find where fingerprint=$wanted]] = 0) do={ :set lacking ($lacking + 1) }
    }
    :return $lacking
  }
  :local named [/certificate/find where name~"^@authorityName@"]
  :if ([:len $named] = 0 and [$countLacking $authorities] > 0) do={
    :local reason "no certificate came of it"
    :onerror wgmqttError in={
      /certificate/import file-name=wgmqtt-ca.pem name="@authorityName@" passphrase="" trusted=yes
    } do={ :set reason $wgmqttError }
    # Whether the certificates are there as soon as the import returns is not known.
    :for tick from=1 to=20 do={
      :set named [/certificate/find where name~"^@authorityName@"]
      :if ([:len $named] = 0 and [$countLacking $authorities] > 0) do={ :delay 100ms }
    }
    :local advice ("wgmqtt: upload the hub's file " . @authorityFile@ . " to this router as wgmqtt-ca.pem.")
    :if ([:len $named] = 0 and [$countLacking $authorities] > 0) do={
      :error ($advice . " Its import here: " . $reason . ". Nothing was changed.")
    }
    # Another file, or an older one, under that name? Only if fingerprints look like ours can they say so.
    :if ([$countLacking $authorities] > 0) do={
      :local comparable true
      :foreach certificateId in=$named do={
        :local seen [:tostr [/certificate/get $certificateId fingerprint]]
        :if (!($seen ~ "^[0-9a-f]+\$") or [:len $seen] != 64) do={ :set comparable false }
      }
      :if ($comparable) do={
        :foreach certificateId in=$named do={ /certificate/remove $certificateId }
        :error ($advice . " The one here holds other certificates. Nothing was changed.")
      }
    }
  }
  # A warning that cannot be worked out is left out: it is no reason to stop.
  :foreach wanted,order in=$authorities do={
    :do {
      :foreach certificateId in=[/certificate/find where fingerprint=$wanted] do={
        :local trusted [:tostr [/certificate/get $certificateId trusted]]
        :if ($trusted = "false" or $trusted = "no") do={
          :put ("warning: certificate " . [/certificate/get $certificateId name] . " has trusted=no: set it to yes")
        }
      }
    } on-error={}
  }
